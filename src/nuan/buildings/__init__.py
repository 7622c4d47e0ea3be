"""In: weather and building properties. Out: the temperatures and the heat that physics expects."""
