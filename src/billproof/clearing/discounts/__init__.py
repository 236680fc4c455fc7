"""Discount models, evaluated over the year to date, in exact fractions."""
