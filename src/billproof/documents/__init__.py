"""Documents that people write, TOML or JSON: read strictly, refused with the line and what to write instead.

Tariffs and agreements are such documents. :mod:`source` reads the file, :mod:`fields` says what its texts may
be, :mod:`shape` brings the tree into the form that a :class:`~billproof.documents.source.Kind` declares.
"""
