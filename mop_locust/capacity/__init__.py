"""The highest rate of arrivals that a server holds: the search, the curve and the words. It knows neither clock nor Locust."""
