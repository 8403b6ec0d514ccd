"""The highest rate of arrivals that a server holds: the search for it, the curve, its words. It knows neither clock nor Locust."""
