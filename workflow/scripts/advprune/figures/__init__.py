"""One module a figure: each turns results into what is drawn, and draws it."""
