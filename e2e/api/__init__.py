"""What a real API server says of our kinds, our gate and our roles."""
