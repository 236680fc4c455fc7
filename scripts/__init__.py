"""Brownie entry points: `brownie run deploy --network NAME`. They call the package and do nothing else."""
