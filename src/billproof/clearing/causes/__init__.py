"""What systematic differences have in common, and where."""
