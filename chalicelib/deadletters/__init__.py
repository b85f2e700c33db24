"""Dead letters: what workers gave up, each with its cause, for an operator to send back."""
