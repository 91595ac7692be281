"""Growth on PostgreSQL: real orders as templates, many copies of them as rows, and what work costs among them."""
