"""What a workbook file is made of: package, parts, sheets as streams of rows, texts, formats."""
