"""Files made of one stored result, one module for each format; `api.formats.table` names them all."""
