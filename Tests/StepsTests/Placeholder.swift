// Tests of Steps.
