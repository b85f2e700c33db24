"""Cases: what a person must look at. Nothing that needs a person is only logged."""
