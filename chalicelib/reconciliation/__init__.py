"""What banks and providers say of the platform's money, held against the books."""
