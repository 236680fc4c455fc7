"""The report of a clearing: one HTML file with charts."""
