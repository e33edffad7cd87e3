"""What every training needs, whatever it trains: state, resume, pace, processes, reports."""
