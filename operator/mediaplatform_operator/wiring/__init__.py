"""S3, SQS and IAM as a resource asks: observe, plan, act. The laptop runs the same code."""
