-- The tables of a log in PostgreSQL (15 or newer), made once by whoever owns them; a server does it
-- when it opens a database that has none. Nobody changes, removes or truncates a row but that of
-- the head, and that one only moves on, with the events that it moves over, in one transaction of
-- the session that holds the log's lock: docs/decisions/0011-postgresql.md.

-- Roles belong to the whole cluster: another database may have made them, even at this moment.
DO $$ BEGIN
  CREATE ROLE strongroom_sequencer NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN
  CREATE ROLE strongroom_reader NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;

CREATE SCHEMA strongroom_log;

CREATE TABLE strongroom_log.format (format integer NOT NULL PRIMARY KEY);
INSERT INTO strongroom_log.format VALUES (1);

-- A superset of the events of postgres-es. A stream is `aggregate_type-aggregate_id`, or only
-- aggregate_type where aggregate_id is empty. `json` keeps the payload's bytes as they are.
CREATE TABLE strongroom_log.events (
  aggregate_type text COLLATE "C" NOT NULL,
  aggregate_id   text COLLATE "C" NOT NULL,
  sequence       bigint NOT NULL CHECK (sequence >= 1),
  event_type     text COLLATE "C" NOT NULL,
  event_version  text COLLATE "C" NOT NULL,
  payload        json NOT NULL,
  metadata       json NOT NULL,
  position       bigint NOT NULL UNIQUE CHECK (position >= 1),
  entry          bytea NOT NULL CHECK (octet_length(entry) BETWEEN 1 AND 4096),
  PRIMARY KEY (aggregate_type, aggregate_id, sequence));
-- Not compressed: what is long is written as it is, and its length is known without reading it.
ALTER TABLE strongroom_log.events ALTER payload SET STORAGE EXTERNAL;
ALTER TABLE strongroom_log.events ALTER entry SET STORAGE EXTERNAL;

CREATE TABLE strongroom_log.leaf_tiles (
  number bigint NOT NULL PRIMARY KEY CHECK (number >= 0),
  hashes bytea NOT NULL CHECK (octet_length(hashes) = 8192));
ALTER TABLE strongroom_log.leaf_tiles ALTER hashes SET STORAGE EXTERNAL;

CREATE TABLE strongroom_log.subtrees (
  level  smallint NOT NULL CHECK (level BETWEEN 1 AND 7),
  number bigint NOT NULL CHECK (number >= 0),
  hash   bytea NOT NULL CHECK (octet_length(hash) = 32),
  PRIMARY KEY (level, number));

CREATE TABLE strongroom_log.outcomes (
  caller         text COLLATE "C" NOT NULL,
  key            text COLLATE "C" NOT NULL,
  request_sha256 bytea NOT NULL CHECK (octet_length(request_sha256) = 32),
  outcome        bytea NOT NULL,
  first          bigint CHECK (first >= 1),
  last           bigint CHECK (last >= first),
  CHECK ((first IS NULL) = (last IS NULL)),
  PRIMARY KEY (caller, key));

-- One row. `previous` is the position before the last transaction; `term` counts the sequencers.
CREATE TABLE strongroom_log.head (
  id       smallint NOT NULL PRIMARY KEY CHECK (id = 1),
  position bigint NOT NULL CHECK (position >= 0),
  leaf     bytea NOT NULL CHECK (octet_length(leaf) = 32),
  root     bytea NOT NULL CHECK (octet_length(root) = 32),
  term     bigint NOT NULL CHECK (term >= 0),
  previous bigint NOT NULL CHECK (previous BETWEEN 0 AND position));
INSERT INTO strongroom_log.head VALUES (1, 0, decode(repeat('00', 32), 'hex'), sha256(''), 0, 0);

CREATE FUNCTION strongroom_log.refuse_change() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'strongroom_log.% is append-only: % is refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'insufficient_privilege';
END $$;

-- Rows come only in a transaction that has moved the head before. That they are the right ones is
-- seen at its end (head_is_filled).
CREATE FUNCTION strongroom_log.follow_the_head() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM strongroom_log.head WHERE xmin = pg_current_xact_id()::xid) THEN
    RAISE EXCEPTION 'rows of strongroom_log.% come only with a move of the head', TG_TABLE_NAME
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NULL;
END $$;

-- Two integers, "SRlg" and 1: the lock of this database's log, held by the session that sequences.
CREATE FUNCTION strongroom_log.move_the_head() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted AND mode = 'ExclusiveLock'
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid = 1397910631 AND objid = 1 AND objsubid = 2) THEN
    RAISE EXCEPTION 'this session does not hold the lock of the log'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF current_setting('synchronous_commit') NOT IN ('on', 'remote_apply') THEN
    RAISE EXCEPTION 'synchronous_commit is %: the log would not be durable',
      current_setting('synchronous_commit') USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NOT (NEW.id = OLD.id AND (
    (NEW.term = OLD.term AND NEW.position > OLD.position AND NEW.leaf <> OLD.leaf
      AND NEW.root <> OLD.root)
    OR (NEW.term IN (OLD.term, OLD.term + 1) AND NEW.position = OLD.position
      AND NEW.leaf = OLD.leaf AND NEW.root = OLD.root))) THEN
    RAISE EXCEPTION 'the head of the log only moves on'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  NEW.previous := OLD.position;
  RETURN NEW;
END $$;

-- At the end of the transaction: the events between the old head and the new one are there, all of
-- them, none lies behind, and the leaf is that of the last.
CREATE FUNCTION strongroom_log.head_is_filled() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found_rows bigint;
  last_row bigint;
BEGIN
  SELECT count(*), coalesce(max(position), NEW.previous) INTO found_rows, last_row
    FROM strongroom_log.events WHERE position > NEW.previous;
  IF found_rows <> NEW.position - NEW.previous OR last_row <> NEW.position THEN
    RAISE EXCEPTION 'the head moved from % to %, but % events came, the last at %',
      NEW.previous, NEW.position, found_rows, last_row USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF found_rows > 0 AND NEW.leaf IS DISTINCT FROM (
    SELECT sha256('\x00'::bytea || entry) FROM strongroom_log.events
    WHERE position = NEW.position) THEN
    RAISE EXCEPTION 'the head at % has a leaf that is not that of the event there', NEW.position
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER follow_the_head BEFORE INSERT ON strongroom_log.events
  FOR EACH STATEMENT EXECUTE FUNCTION strongroom_log.follow_the_head();
CREATE TRIGGER follow_the_head BEFORE INSERT ON strongroom_log.leaf_tiles
  FOR EACH STATEMENT EXECUTE FUNCTION strongroom_log.follow_the_head();
CREATE TRIGGER follow_the_head BEFORE INSERT ON strongroom_log.subtrees
  FOR EACH STATEMENT EXECUTE FUNCTION strongroom_log.follow_the_head();
CREATE TRIGGER follow_the_head BEFORE INSERT ON strongroom_log.outcomes
  FOR EACH STATEMENT EXECUTE FUNCTION strongroom_log.follow_the_head();
CREATE TRIGGER move_the_head BEFORE UPDATE ON strongroom_log.head
  FOR EACH ROW EXECUTE FUNCTION strongroom_log.move_the_head();
CREATE CONSTRAINT TRIGGER head_is_filled AFTER UPDATE ON strongroom_log.head
  DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION strongroom_log.head_is_filled();

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON strongroom_log.events
  FOR EACH STATEMENT EXECUTE FUNCTION strongroom_log.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON strongroom_log.leaf_tiles
  FOR EACH STATEMENT EXECUTE FUNCTION strongroom_log.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON strongroom_log.subtrees
  FOR EACH STATEMENT EXECUTE FUNCTION strongroom_log.refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON strongroom_log.outcomes
  FOR EACH STATEMENT EXECUTE FUNCTION strongroom_log.refuse_change();
CREATE TRIGGER refuse_change BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON strongroom_log.format
  FOR EACH STATEMENT EXECUTE FUNCTION strongroom_log.refuse_change();
CREATE TRIGGER refuse_change BEFORE INSERT OR DELETE OR TRUNCATE ON strongroom_log.head
  FOR EACH STATEMENT EXECUTE FUNCTION strongroom_log.refuse_change();

-- In replicas' sessions too (session_replication_role).
ALTER TABLE strongroom_log.events ENABLE ALWAYS TRIGGER follow_the_head;
ALTER TABLE strongroom_log.events ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE strongroom_log.leaf_tiles ENABLE ALWAYS TRIGGER follow_the_head;
ALTER TABLE strongroom_log.leaf_tiles ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE strongroom_log.subtrees ENABLE ALWAYS TRIGGER follow_the_head;
ALTER TABLE strongroom_log.subtrees ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE strongroom_log.outcomes ENABLE ALWAYS TRIGGER follow_the_head;
ALTER TABLE strongroom_log.outcomes ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE strongroom_log.format ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE strongroom_log.head ENABLE ALWAYS TRIGGER move_the_head;
ALTER TABLE strongroom_log.head ENABLE ALWAYS TRIGGER head_is_filled;
ALTER TABLE strongroom_log.head ENABLE ALWAYS TRIGGER refuse_change;

-- A new sequencer; the terms before it are over.
CREATE FUNCTION strongroom_log.take_term() RETURNS bigint
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE strongroom_log.head SET term = term + 1 RETURNING term;
$$;

-- One batch: all of it or nothing. False where the head is not where the sequencer left it.
CREATE FUNCTION strongroom_log.append(
  of_term bigint, old_position bigint, old_leaf bytea,
  new_position bigint, new_leaf bytea, new_root bytea,
  aggregate_types text[], aggregate_ids text[], sequences bigint[], event_types text[],
  event_versions text[], payloads text[], metadatas text[], entries bytea[],
  tile_numbers bigint[], tile_hashes bytea[],
  subtree_levels smallint[], subtree_numbers bigint[], subtree_hashes bytea[],
  callers text[], keys text[], requests bytea[], answers bytea[], firsts bigint[], lasts bigint[]
) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE strongroom_log.head SET position = new_position, leaf = new_leaf, root = new_root
    WHERE term = of_term AND position = old_position AND leaf = old_leaf;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  IF new_position > old_position THEN
    INSERT INTO strongroom_log.events (aggregate_type, aggregate_id, sequence, event_type,
        event_version, payload, metadata, position, entry)
      SELECT row.t, row.i, row.s, row.e, row.v, row.p::json, row.m::json, old_position + row.n, row.b
      FROM unnest(aggregate_types, aggregate_ids, sequences, event_types, event_versions,
        payloads, metadatas, entries) WITH ORDINALITY AS row (t, i, s, e, v, p, m, b, n);
  END IF;
  IF cardinality(tile_numbers) > 0 THEN
    INSERT INTO strongroom_log.leaf_tiles SELECT * FROM unnest(tile_numbers, tile_hashes);
  END IF;
  IF cardinality(subtree_levels) > 0 THEN
    INSERT INTO strongroom_log.subtrees
      SELECT * FROM unnest(subtree_levels, subtree_numbers, subtree_hashes);
  END IF;
  IF cardinality(callers) > 0 THEN
    INSERT INTO strongroom_log.outcomes
      SELECT * FROM unnest(callers, keys, requests, answers, firsts, lasts);
  END IF;
  RETURN true;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA strongroom_log FROM PUBLIC;
GRANT USAGE ON SCHEMA strongroom_log TO strongroom_sequencer, strongroom_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA strongroom_log TO strongroom_sequencer, strongroom_reader;
GRANT EXECUTE ON FUNCTION strongroom_log.take_term(), strongroom_log.append(bigint, bigint, bytea,
  bigint, bytea, bytea, text[], text[], bigint[], text[], text[], text[], text[], bytea[],
  bigint[], bytea[], smallint[], bigint[], bytea[], text[], text[], bytea[], bytea[], bigint[],
  bigint[]) TO strongroom_sequencer;
-- Where the owner is no superuser, it may still serve the log itself.
DO $$ BEGIN
  IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    EXECUTE format('GRANT strongroom_sequencer, strongroom_reader TO %I', current_user);
  END IF;
EXCEPTION WHEN insufficient_privilege OR unique_violation THEN NULL; END $$;
