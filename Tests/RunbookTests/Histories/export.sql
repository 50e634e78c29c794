-- Prints one run of a store as a history. See README.md beside this file.
.mode list
SELECT json_object(
  'id', id, 'name', name, 'status', status, 'outcome', outcome, 'rollback', rollback, 'exit_code', exit_code,
  'key', key, 'fingerprint', fingerprint, 'epoch', epoch, 'owned', owned,
  'locks', json((SELECT json_group_array(name) FROM (SELECT name FROM locks WHERE run_id = :run ORDER BY name))),
  'requests', json((
    SELECT json_group_array(json_object(
      'id', place & 4294967295, 'kind', kind, 'body', CAST(body AS TEXT), 'requester', requester, 'at', at))
    FROM (SELECT * FROM requests WHERE place >> 32 = (SELECT number FROM runs WHERE id = :run) ORDER BY place))),
  'digest_key', lower(hex((SELECT digest_key FROM store)))
) FROM runs WHERE id = :run;
SELECT (place & 4294967295) || ' ' || entries.at || ' ' || entries.epoch || ' ' || kind || ' ' || CAST(body AS TEXT)
FROM entries JOIN runs ON place >> 32 = number WHERE id = :run ORDER BY place;
