"""What is settled of a month: filled from documents, written as JSON, workbook and pages."""
