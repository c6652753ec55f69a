"""Learning from what people decided: the lessons, the model they make, which model judges and what it may do alone."""
