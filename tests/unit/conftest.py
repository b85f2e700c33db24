"""Hypothesis finds the same examples every time: a failure here is a failure everywhere.

`pytest tests/unit --hypothesis-profile=explore` searches further and prints the seed of what it
finds; `--hypothesis-seed=N` repeats it.
"""

from hypothesis import settings

settings.register_profile("fixed", derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile(
    "explore", derandomize=False, database=None, deadline=None, print_blob=True, max_examples=2000
)
if settings.get_current_profile_name() != "explore":
    settings.load_profile("fixed")
