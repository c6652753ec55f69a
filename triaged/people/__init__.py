"""People: the digest that asks them, critical mail that cannot wait, what their answers do, and taking that back."""
