"""From unlabeled crops to settings whose words look like them: simulate, weigh, check, again."""
