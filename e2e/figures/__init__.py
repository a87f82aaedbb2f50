"""The figures of docs/measurements.md, printed again: `python -m e2e.figures`."""
