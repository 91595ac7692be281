"""Two years of a shop in a few minutes: the real engine with its clock set, real worker, persons who come and go."""
