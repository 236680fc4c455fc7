"""What a subscriber receives: bundles, receipts and account key files, and how they are made."""
