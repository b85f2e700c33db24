"""From paid to delivered: what each supplier must ship, and money back for what is not shipped."""
