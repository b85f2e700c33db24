"""What can be bought: products with their SKUs, and campaigns that offer SKUs to communities."""
