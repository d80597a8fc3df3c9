//! How often a loop runs, what its iterations work on, and which values change in them.

use super::{findings_in, tiers_in};
use crate::finding::Tier::{self, Listed, Shown};

/// The tiers of what is found in the loops of a file.
fn tiers(source: &str) -> Vec<Tier> {
    let mut found = findings_in("query_in_loop", source);
    found.retain(|it| matches!(it.lint, "querying_call_in_loop" | "query_in_loop" | "row_by_row_write"));
    found.iter().map(|finding| finding.tier).collect()
}

/// The help of the finding on a write in a loop.
fn help(body: &str) -> String {
    let source = format!("async fn run(db: &PgPool, ids: &[i64]) {{ for id in ids {{ {body} }} }}");
    let found = findings_in("row_by_row_write", &source);
    found.iter().filter(|it| it.lint == "row_by_row_write").flat_map(|it| it.help.clone()).collect()
}

#[test]
fn a_value_that_is_new_in_each_iteration_is_an_element_of_an_array() {
    let insert = |value: &str| {
        format!(
            "sqlx::query(\"INSERT INTO logs (output, event_id) VALUES ($1, $2)\").bind({value}).bind(id).execute(db).await;"
        )
    };
    for (value, is_element) in [
        ("Uuid::new_v4()", true),
        ("uuid::Uuid::new_v4().to_string()", true),
        ("Uuid::now_v7()", true),
        ("Ulid::new()", true),
        ("rand::random::<i64>()", true),
        ("self.ids.next_id()", true),
        ("counter.fetch_add(1, Ordering::Relaxed)", true),
        ("fresh()", true),
        ("Utc::now()", false),
        ("chrono::Utc::now().naive_utc()", false),
        ("String::new()", false),
        ("name", false),
        ("name.as_str()", false),
        ("user.name()", false),
        ("\"new\"", false),
    ] {
        let help = help(&insert(value));
        assert_eq!(help.contains("UNNEST($1::text[], $2::bigint[])"), is_element, "{value}: {help}");
        assert!(help.contains("UNNEST("), "{value}: {help}");
    }
}

#[test]
fn parts_of_a_list_have_as_many_elements_as_the_source_says() {
    let write = "sqlx::query(\"UPDATE servers SET name = 'a' WHERE id = $1\").bind(id).execute(db).await;";
    for (before, over, expected) in [
        ("let Some(three) = ids.first_chunk::<3>() else { return };", "three", vec![]),
        ("let (head, rest) = ids.split_at(2);", "head", vec![]),
        ("let (head, rest) = ids.split_at(2);", "rest", vec![Shown]),
        ("let (head, rest) = ids.split_at(n);", "head", vec![Shown]),
        ("let Some((rest, last)) = ids.split_last_chunk::<2>() else { return };", "last", vec![]),
        ("let Some((rest, last)) = ids.split_last_chunk::<2>() else { return };", "rest", vec![Shown]),
        ("", "text.parse::<i64>()", vec![]),
        ("", "text.splitn(3, ',')", vec![]),
        ("", "text.splitn(n, ',')", vec![Shown]),
        ("", "ids.iter().take(10)", vec![]),
        ("", "ids.iter().take(500)", vec![Shown]),
        ("", "parser.parse()", vec![Shown]),
    ] {
        let body = format!("{before} for id in {over} {{ {write} }}");
        assert_eq!(tiers_in("row_by_row_write", &body), expected, "{body}");
    }
    let body = format!("if let Some(three) = ids.first_chunk::<3>() {{ for id in three {{ {write} }} }}");
    assert_eq!(tiers_in("row_by_row_write", &body), [], "{body}");
}

#[test]
fn what_a_listener_or_a_watcher_tells_arrives_over_time() {
    let write =
        "sqlx::query(\"UPDATE servers SET name = 'a' WHERE id = $1\").bind(it.id()).execute(db).await;";
    for (before, head, expected) in [
        (
            "let mut s = PgListener::connect_with(db).await?.into_stream();",
            "Some(it) = s.try_next().await?",
            vec![],
        ),
        (
            "let mut s = std::pin::pin!(watcher(pods, config).applied_objects());",
            "Some(it) = s.try_next().await?",
            vec![],
        ),
        ("let (mut sink, mut s) = socket.split();", "Some(it) = s.next().await", vec![]),
        ("let mut s: SplitStream<WebSocket> = half;", "Some(it) = s.next().await", vec![]),
        ("let mut s = pubsub.into_on_message();", "Some(it) = s.next().await", vec![]),
        (
            "let (a, s) = tokio::sync::mpsc::channel(8); let mut s = stream::select(s, a);",
            "Some(it) = s.next().await",
            vec![],
        ),
        ("let mut s = feed.subscribers();", "Some(it) = s.next().await", vec![Shown]),
        ("let mut s = std::pin::pin!(rows);", "Some(it) = s.try_next().await?", vec![Shown]),
    ] {
        let body = format!("{before} while let {head} {{ {write} }}");
        assert_eq!(tiers_in("row_by_row_write", &body), expected, "{body}");
    }
}

#[test]
fn days_up_to_a_last_one_are_elements() {
    let read = "sqlx::query(\"SELECT name FROM servers WHERE name = $1\").bind(day).fetch_one(db).await?;";
    for (code, expected) in [
        (format!("while day <= to {{ {read} day += chrono::Duration::days(1); }}"), vec![Shown]),
        (
            format!("while day <= to {{ {read} day = day.checked_add_days(Days::new(1)).unwrap(); }}"),
            vec![Shown],
        ),
        (
            format!("loop {{ if day > to {{ break; }} {read} day = day.succ_opt().expect(\"a day\"); }}"),
            vec![Shown],
        ),
        (
            format!(
                "for day in std::iter::successors(Some(from), |d| d.succ_opt()).take_while(|d| *d <= to) {{ {read} }}"
            ),
            vec![Shown],
        ),
        (format!("loop {{ if day > to {{ break; }} {read} day += 1; }}"), vec![]),
        (format!("loop {{ {read} day = day.succ_opt().expect(\"a day\"); }}"), vec![]),
        (format!("for day in std::iter::successors(Some(from), |d| after(d)) {{ {read} }}"), vec![]),
    ] {
        let body = format!("let mut day = from; {code}");
        assert_eq!(tiers_in("query_in_loop", &body), expected, "{body}");
    }
}

#[test]
fn what_a_task_of_the_program_gives_is_no_wait_for_a_service() {
    let save = "async fn save(db: &PgPool, id: i64) { sqlx::query(\"UPDATE servers SET name = 'a' WHERE id = $1\").bind(id).execute(db).await; }";
    for (head, expected) in [("set.join_next().await", Shown), ("set.ask_next().await", Listed)] {
        let source = format!(
            "{save} async fn run(db: &PgPool, set: Set) {{ let mut more = true; while let Some(id) = set.join_next().await {{ {head}; save(db, id).await; }} }}"
        );
        assert_eq!(tiers(&source), [expected], "{head}");
    }
}

#[test]
fn code_in_a_field_waits_for_what_is_put_there() {
    let source = |code: &str| {
        format!(
            "struct Titles<F> {{ load: F }}
            async fn read(db: &PgPool, id: i64) -> String {{ sqlx::query_scalar(\"SELECT name FROM servers WHERE id = $1\").bind(id).fetch_one(db).await }}
            impl<F> Titles<F> {{ async fn all(&self, ids: &[i64]) {{ for id in ids {{ (self.load)(*id).await?; }} }} }}
            async fn run(db: &PgPool) {{ let titles = Titles {{ load: |id| {code} }}; titles.all(ids).await; }}"
        )
    };
    assert_eq!(tiers(&source("read(db, id)")), [Shown]);
    assert_eq!(tiers(&source("async { read(db, id).await; fetch_page(id).await }")), [Listed]);
}

#[test]
fn a_call_may_choose_the_schema_of_an_iteration() {
    let enter = |sql: &str| {
        format!(
            "async fn enter(conn: &mut PgConnection, name: &str) {{ sqlx::query({sql}).execute(conn).await; }}"
        )
    };
    let built = "&format!(\"SET search_path TO {name}\")";
    for (sql, call, expected) in [
        (built, "enter(&mut conn, id).await;", false),
        ("\"SELECT set_config('search_path', $1, false)\"", "enter(&mut conn, id).await;", false),
        (built, "enter(&mut conn, \"app\").await;", true),
    ] {
        let source = format!(
            "{} async fn run(conn: PgConnection, ids: &[String]) {{ for id in ids {{ {call} sqlx::query(\"DELETE FROM servers WHERE name = $1\").bind(id).execute(&mut conn).await; }} }}",
            enter(sql)
        );
        let found = findings_in("row_by_row_write", &source);
        let is_found = found.iter().any(|it| it.lint == "row_by_row_write");
        assert_eq!(is_found, expected, "{sql} {call}");
    }
}

#[test]
fn a_miss_may_be_told_by_none_else() {
    let source = |rest: &str| {
        format!(
            "impl Names {{
                async fn load(&self, id: i64) -> String {{ sqlx::query_scalar(\"SELECT name FROM servers WHERE id = $1\").bind(id).fetch_one(&self.db).await }}
                async fn name(&self, id: i64) -> String {{
                    let None = self.kept.get(&id) else {{ return String::new(); }};
                    let name = self.load(id).await; {rest} name
                }}
                async fn all(&self, ids: &[i64]) {{ for id in ids {{ self.name(*id).await; }} }}
            }}"
        )
    };
    assert_eq!(tiers(&source("self.kept.insert(id, name.clone());")), []);
    assert_eq!(tiers(&source("")), [Shown]);
}

#[test]
fn data_at_hand_is_gone_through_and_answers_are_waited_for() {
    let write = "sqlx::query(\"UPDATE servers SET name = 'a' WHERE id = $1\").bind(id).execute(db).await?;";
    let list = "sqlx::query(\"SELECT id FROM servers WHERE id > $1\").bind(id).fetch_all(db).await?";
    for (code, expected) in [
        (format!("while let [id, rest @ ..] = ids {{ {write} ids = rest; }}"), vec![Shown]),
        (format!("while let Some((id, rest)) = ids.split_first() {{ {write} ids = rest; }}"), vec![Shown]),
        (format!("while file.read_line(&mut id)? > 0 {{ {write} id.clear(); }}"), vec![Shown]),
        (format!("while reader.read_record(&mut id)? {{ {write} }}"), vec![Shown]),
        (format!("while let Ok(Some(id)) = reader.read() {{ {write} }}"), vec![Shown]),
        (format!("loop {{ let Some(id) = decoder.decode()? else {{ break }}; {write} }}"), vec![Shown]),
        (
            format!(
                "loop {{ match file.read_line(&mut id) {{ Ok(0) => break, Ok(_) => {{ {write} }} Err(e) => return Err(e) }} }}"
            ),
            vec![Shown],
        ),
        (
            format!(
                "let mut i = 0; loop {{ if i >= ids.len() {{ break; }} let id = ids[i]; {write} i += 1; }}"
            ),
            vec![Shown],
        ),
        (
            format!("let mut n = Some(&first); while let Some(id) = n {{ {write} n = id.next.as_ref(); }}"),
            vec![Shown],
        ),
        // What an iteration reads decides whether there is another one.
        (
            format!("let mut n = Some(1); while let Some(id) = n {{ {write} n = next(db, id).await?; }}"),
            vec![],
        ),
        (format!("loop {{ let Some(id) = next(db).await? else {{ break }}; {write} }}"), vec![]),
        (format!("loop {{ let rows = {list}; {write} if rows.len() < 100 {{ break; }} }}"), vec![]),
        (
            format!(
                "let mut done = false; while !done {{ let rows = {list}; {write} if rows.is_empty() {{ done = true; }} }}"
            ),
            vec![],
        ),
        (
            format!(
                "loop {{ fill(&mut ids, db).await?; match ids.first() {{ Some(id) => {{ {write} }} None => break }} }}"
            ),
            vec![],
        ),
        // What arrives, and what is tried or asked for with no end.
        (format!("while let Ok(id) = consumer.poll_event() {{ {write} }}"), vec![]),
        (format!("while clock.runs() {{ {write} }}"), vec![]),
        (format!("loop {{ {write} }}"), vec![]),
        (format!("loop {{ select! {{ x = a => break, y = b => {{}} }} {write} }}"), vec![]),
        (
            format!(
                "loop {{ select! {{ x = a => go = x, y = b => {{}} }} let Some(id) = ids.take() else {{ break }}; {write} }}"
            ),
            vec![],
        ),
    ] {
        assert_eq!(tiers_in("row_by_row_write", &code), expected, "{code}");
    }
}

#[test]
fn a_failure_that_leaves_a_loop_is_no_success() {
    let read =
        "sqlx::query_scalar(\"SELECT name FROM servers WHERE id = $1\").bind(id).fetch_optional(db).await";
    for (arms, expected) in [
        (
            "Ok(Some(name)) => out.push(name), Ok(None) => return Err(Missing), Err(e) => return Err(e)",
            vec![Shown],
        ),
        (
            "Ok(Some(name)) => out.push(name), Ok(None) => return NotFound, Err(e) => return Failed",
            vec![Shown],
        ),
        ("Ok(Some(_)) => return Err(Error::Taken), Ok(None) => {}, Err(e) => return Err(e)", vec![Shown]),
        (
            "Ok(Some(_)) => return HttpResponse::Conflict().finish(), Ok(None) => {}, Err(_) => {}",
            vec![Shown],
        ),
        ("Ok(done) if done.is_none() => return Missing, Ok(_) => {}, Err(e) => return Err(e)", vec![Shown]),
        ("Ok(name) => return Ok(name), Err(e) => last = e", vec![]),
        ("Ok(name) => break name, Err(e) => last = e", vec![]),
    ] {
        let body = format!("for id in ids {{ match {read} {{ {arms} }} }}");
        assert_eq!(tiers_in("query_in_loop", &body), expected, "{body}");
    }
    let write = "sqlx::query(\"UPDATE servers SET name = $1\").bind(line).execute(db).await?;";
    for (exit, expected) in [
        ("if let Ok(end) = line.parse::<i64>() { return Ok(end); }", vec![Shown]),
        ("if let Ok(false) = check(line) { return Ok(0); }", vec![Shown]),
        ("if send(line).await.is_ok() { return Ok(1); }", vec![]),
    ] {
        let body = format!("for line in lines {{ {write} {exit} }}");
        assert_eq!(tiers_in("row_by_row_write", &body), expected, "{body}");
    }
}
