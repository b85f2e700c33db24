"""What a customer asks for after its parcel has shipped: answered, decided, watched by a clock."""
