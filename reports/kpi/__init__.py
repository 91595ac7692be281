"""KPI by subject: each function takes the book and a month and returns figures."""
