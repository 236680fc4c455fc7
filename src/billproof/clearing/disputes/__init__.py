"""Disputed records with both sides' inclusion proofs: written, read, followed, judged again."""
