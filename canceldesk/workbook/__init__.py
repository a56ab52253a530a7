"""The list: the cancellation tab of the company's workbook, read and added to without harm."""
