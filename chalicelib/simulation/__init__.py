"""What a month's orders would have earned under a draft of a commission plan, side by side with
what they did."""
