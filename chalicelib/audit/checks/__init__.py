"""What must hold of what is stored, a file for each thing, of rows and what they name. Pure."""
