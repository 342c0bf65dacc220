"""What `NoisyStudentModel` is made of."""
