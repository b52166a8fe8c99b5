"""Pure functions from wire models to what is shown: no widgets, no I/O, no clock but the one handed in."""
