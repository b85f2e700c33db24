"""The demo and the replay: real grocery baskets sent through a running stack.

Only callers of the HTTP API live here; nothing imports the backend's code.
"""
