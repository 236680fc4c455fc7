"""What a clearing has found, as sums, as one strict document, and in words."""
