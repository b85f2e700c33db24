"""What leaders earn: commission from payment to statement, and the nightly run."""
