"""Each operator's book of the traffic in columns: where its records come from, and who is who."""
