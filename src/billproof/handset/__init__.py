"""Phone logs: what subscribers export from their phones, as entries to lay beside a bill."""
