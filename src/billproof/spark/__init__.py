"""A billing run on a Spark cluster: the same steps, checks and root as on one machine.

References to slices of files and to pieces of scratch files move through Spark; rows never do. See
docs/scaling.md.
"""
