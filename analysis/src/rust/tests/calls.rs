//! Which calls in loops reach a query, by Rust's rules for names and types.

use std::sync::Arc;

use super::*;
use crate::rust::SourceFile;
use crate::rust::graph::calls::CallGraph;

/// Sources by crate, module and text.
fn sources(files: &[(&str, &str, &str)]) -> Vec<SourceFile> {
    let externs = files.iter().map(|(name, _, _)| ((*name).to_owned(), (*name).to_owned()));
    let externs = Arc::new(externs.collect());
    let source = |(crate_name, module, text): &(&str, &str, &str)| SourceFile {
        crate_name: (*crate_name).to_owned(),
        externs: Arc::clone(&externs),
        module: module.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect(),
        scan: scan(&format!("{crate_name}/{}.rs", module.replace("::", "/")), text).expect("it is Rust"),
    };
    files.iter().map(source).collect()
}

/// Checks the chains of the calls in loops that reach a query: `loop call → … → query`, each as written.
#[track_caller]
pub(super) fn check(files: &[(&str, &str, &str)], expected: &[&str]) {
    let sources = sources(files);
    let graph = CallGraph::new(sources.iter().collect());
    let found: Vec<String> = graph
        .querying_calls_in_loops()
        .iter()
        .map(|call| call.chain.iter().map(|link| link.what.as_str()).collect::<Vec<_>>().join(" → "))
        .collect();
    assert_eq!(found, expected);
}

/// A function that queries.
const LOAD: &str = "pub async fn load(id: i64) { sqlx::query!(\"SELECT 1\").fetch_one(db).await; }";

#[test]
fn a_free_function_of_another_module_by_path_import_and_rename() {
    check(
        &[("app", "", "async fn f() { for x in xs { crate::db::load(x).await; } }"), ("app", "db", LOAD)],
        &["crate::db::load → sqlx::query!"],
    );
    check(
        &[
            ("app", "", "use db::load as get; async fn f() { for x in xs { get(x).await; } }"),
            ("app", "db", LOAD),
        ],
        &["get → sqlx::query!"],
    );
    check(
        &[
            ("app", "a", "use super::db; async fn f() { for x in xs { db::load(x).await; } }"),
            ("app", "db", LOAD),
        ],
        &["db::load → sqlx::query!"],
    );
}

#[test]
fn a_re_export_and_a_glob_of_another_crate() {
    check(
        &[
            ("app", "", "use store::*; async fn f() { for x in xs { load(x).await; } }"),
            ("store", "", "mod inner; pub use inner::load;"),
            ("store", "inner", LOAD),
        ],
        &["load → sqlx::query!"],
    );
}

#[test]
fn a_function_of_the_same_name_elsewhere_is_none_of_it() {
    check(
        &[
            ("app", "", "mod api; use api::load; async fn f() { for x in xs { load(x).await; } }"),
            ("app", "api", "pub async fn load(id: i64) { http.get(id).await; }"),
            ("app", "db", LOAD),
        ],
        &[],
    );
    check(&[("app", "", "async fn f() { for x in xs { client.load(x).await; } }"), ("app", "db", LOAD)], &[]);
}

#[test]
fn globs_in_circles_end() {
    check(
        &[
            (
                "app",
                "a",
                "pub use super::b::*; async fn f() { for x in xs { load(x).await; other(x).await; } }",
            ),
            ("app", "b", "pub use super::a::*; pub use super::db::*;"),
            ("app", "db", LOAD),
        ],
        &["load → sqlx::query!"],
    );
}

#[test]
fn chains_are_followed_to_the_query() {
    check(
        &[(
            "app",
            "",
            "async fn f() { for x in xs { a(x).await; } } async fn a(x: i64) { b(x).await; }
             async fn b(x: i64) { measure(|| async { sqlx::query!(\"SELECT 1\").execute(db).await }).await; }",
        )],
        &["a → b → sqlx::query!"],
    );
}

/// A type of rows with a method that queries, one whose method of that name does not, and a method that queries elsewhere.
const ROWS: &str = "use sqlx::query_as; use futures::TryStreamExt;
    pub struct Post; impl Post { pub async fn lines(&self) { sqlx::query!(\"SELECT 1\").fetch_all(db).await; } }
    pub struct Tag; impl Tag { pub async fn lines(&self) { count() } }
    pub struct Feed; impl Feed { pub async fn lines(&self) { sqlx::query!(\"SELECT 2\").fetch_all(db).await; } }";

#[test]
fn the_rows_of_a_query_have_the_type_that_it_names() {
    let each = "for post in posts { post.lines().await; }";
    for body in [
        format!("let posts = query_as::<_, Post>(\"SELECT 1\").bind(1).fetch_all(db).await?; {each}"),
        format!(
            "let posts = sqlx::query_as!(Post, \"SELECT 1\").fetch_all(db).await.unwrap_or_default(); {each}"
        ),
        format!(
            "let query = query_as::<Postgres, Post>(\"SELECT 1\"); let posts = query.bind(1).fetch_all(db).await?; {each}"
        ),
        format!("if let Ok(posts) = sqlx::query_as!(Post, \"SELECT 1\").fetch_all(db).await {{ {each} }}"),
        format!(
            "let posts = match query_as::<_, Post>(\"SELECT 1\").fetch_all(db).await {{ Ok(posts) => posts, Err(e) => return Err(e) }}; {each}"
        ),
        format!(
            "let posts = sqlx::query!(\"SELECT 1\").map(|row| Post {{ id: row.id }}).fetch_all(db).await?; {each}"
        ),
        format!("let posts = builder.build_query_as::<Post>().fetch_all(db).await?; {each}"),
        "let posts = query_as::<_, Post>(\"SELECT 1\").fetch_all(db).await?;
         for (at, post) in posts.iter().enumerate() { post.lines().await; }"
            .to_owned(),
        "let mut rows = query_as::<_, Post>(\"SELECT 1\").fetch(db);
         while let Some(post) = rows.try_next().await? { post.lines().await; }"
            .to_owned(),
        format!(
            "let mut posts = vec![]; posts.push(query_as::<_, Post>(\"SELECT 1\").fetch_one(db).await?); posts.extend(more); {each}"
        ),
    ] {
        let source = format!("{ROWS} async fn f() {{ {body} }}");
        check(&[("app", "", &source)], &["post.lines → sqlx::query!"]);
        check(
            &[(
                "app",
                "",
                &source
                    .replace("Post>(", "Tag>(")
                    .replace("(Post,", "(Tag,")
                    .replace("Post {{", "Tag {{")
                    .replace("as::<Post>", "as::<Tag>")
                    .replace("| Post {", "| Tag {"),
            )],
            &[],
        );
    }
}

#[test]
fn what_a_macro_makes_a_text_or_a_link_of_does_not_run() {
    for (code, expected) in [
        ("uri!(load(x)).to_string();", &[][..]),
        ("rocket::uri!(\"/mount\", load(id = x), \"?a\");", &[]),
        ("tokens = quote! { #tokens load(#x).await; };", &[]),
        ("stringify!(load(x).await);", &[]),
        ("uri!(show(load(x).await));", &["load → sqlx::query!"]),
        ("other!(load(x).await);", &["load → sqlx::query!"]),
    ] {
        let source =
            format!("async fn f() {{ for x in xs {{ {code} }} }} async fn show(id: i64) {{}} {LOAD}");
        check(&[("app", "", &source)], expected);
    }
    let own = format!(
        "macro_rules! uri {{ ($e:expr) => {{ $e.await }} }} async fn f() {{ for x in xs {{ uri!(load(x)); }} }} {LOAD}"
    );
    check(&[("app", "", &own)], &["load → sqlx::query!"]);
}

/// A type with a method that queries, and a type with one of the same name that does not.
const TYPES: &str = "pub struct Db; impl Db { pub async fn get(&self, id: i64) { sqlx::query!(\"SELECT 1\").fetch_one(db).await; } }
    pub struct Client; impl Client { pub async fn get(&self, id: i64) { http().await; } }
    pub struct State { pub db: Arc<Db>, pub client: Client }
    impl State { pub fn db(&self) -> &Db { &self.db } pub async fn open() -> Result<State> { todo() } }";

/// Checks a function's body with `TYPES` in scope.
#[track_caller]
fn check_types(code: &str, expected: &[&str]) {
    check(&[("app", "", &format!("{TYPES}\n{code}"))], expected);
}

#[test]
fn methods_are_found_by_the_type_of_their_receiver() {
    check_types("async fn f(db: &Db) { for x in xs { db.get(x).await; } }", &["db.get → sqlx::query!"]);
    check_types("async fn f(client: &Client) { for x in xs { client.get(x).await; } }", &[]);
    check_types(
        "async fn f(s: &State) { for x in xs { s.db.get(x).await; s.client.get(x).await; } }",
        &["s.db.get → sqlx::query!"],
    );
    check_types(
        "async fn f(s: State) { for x in xs { s.db().get(x).await; } }",
        &["s.db().get → sqlx::query!"],
    );
    check_types(
        "async fn f() { let s = State::open().await?; for x in xs { s.db.get(x).await; } }",
        &["s.db.get → sqlx::query!"],
    );
    check_types(
        "async fn f(all: Vec<Db>) { for it in &all { it.get(1).await; } }",
        &["it.get → sqlx::query!"],
    );
    check_types(
        "async fn f(State { db, .. }: &State) { for x in xs { db.get(x).await; } }",
        &["db.get → sqlx::query!"],
    );
    check_types(
        "impl State { async fn f(&self) { for x in xs { self.db.get(x).await; } } }",
        &["self.db.get → sqlx::query!"],
    );
}

#[test]
fn methods_of_traits_are_those_of_their_few_implementations() {
    let store = "pub trait Store { async fn get(&self, id: i64); async fn both(&self) { self.get(1).await; } }
        struct Pg; impl Store for Pg { async fn get(&self, id: i64) { sqlx::query!(\"SELECT 1\").fetch_one(db).await; } }
        #[cfg(test)] impl Store for Fake { async fn get(&self, id: i64) {} }";
    let check = |code: &str, expected: &[&str]| check(&[("app", "", &format!("{store}\n{code}"))], expected);
    check("async fn f(s: &dyn Store) { for x in xs { s.get(x).await; } }", &["s.get → sqlx::query!"]);
    check(
        "async fn f<S: Store>(s: &S) { for x in xs { s.both().await; } }",
        &["s.both → self.get → sqlx::query!"],
    );
    check("async fn f(s: Box<dyn Store>) { for x in xs { s.get(x).await; } }", &["s.get → sqlx::query!"]);
    check("async fn f(s: Pg) { for x in xs { s.both().await; } }", &["s.both → self.get → sqlx::query!"]);
}

#[test]
fn an_accessor_of_a_trait_on_a_type_of_another_crate() {
    check(
        &[
            ("conn", "", "pub struct Connection<'a, D> { inner: &'a D }"),
            (
                "dal",
                "",
                "use conn::Connection; pub struct Core;
                 pub trait CoreDal { fn blocks(&mut self) -> Blocks<'_>; }
                 impl CoreDal for Connection<'_, Core> { fn blocks(&mut self) -> Blocks<'_> { Blocks { storage: self } } }
                 pub struct Blocks<'a> { storage: &'a mut Connection<'a, Core> }
                 impl Blocks<'_> { pub async fn get(&mut self) { sqlx::query!(\"SELECT 1\").execute(self.storage).await; } }",
            ),
            (
                "app",
                "",
                "use conn::Connection; use dal::{Core, CoreDal};
                 async fn f(storage: &mut Connection<'_, Core>) { for x in xs { storage.blocks().get().await; } }",
            ),
        ],
        &["storage.blocks().get → sqlx::query!"],
    );
}

#[test]
fn closures_that_a_block_gives_and_parameters_with_a_type_are_followed() {
    let helper = "async fn each(xs: &[i64], f: impl Fn(i64)) { for x in xs { f(*x); } }";
    for body in [
        "each(xs, { let db = db.clone(); move |id| crate::db::load(id) }).await;",
        "let f = { let db = db.clone(); move |id| crate::db::load(id) }; each(xs, f).await;",
    ] {
        let app = format!("{helper} async fn f() {{ {body} }}");
        check(&[("app", "", &app), ("app", "db", LOAD)], &["each → crate::db::load → sqlx::query!"]);
    }
    let store = "pub struct Store; impl Store { pub async fn name(&self, id: i64) { sqlx::query!(\"SELECT 1\").fetch_one(db).await; } }";
    for closure in [
        "|s: &crate::db::Store| async move { for x in xs { s.name(x).await; } }",
        "async |s: &crate::db::Store| { for x in xs { s.name(x).await; } }",
    ] {
        let app = format!(
            "async fn f() {{ with({closure}).await; }} async fn with(f: impl Fn(&crate::db::Store)) {{ f(s).await }}"
        );
        check(&[("app", "", &app), ("app", "db", store)], &["s.name → sqlx::query!"]);
    }
}

#[test]
fn functions_handed_to_combinators_are_calls() {
    check(
        &[("app", "", &format!("async fn f() {{ join_all(xs.iter().map(load)).await; }} {LOAD}"))],
        &["load → sqlx::query!"],
    );
}

#[test]
fn calls_in_loops_that_are_fine_are_left_out() {
    let check = |code: &str| check(&[("app", "", &format!("async fn f() {{ {code} }} {LOAD}"))], &[]);
    check("for chunk in xs.chunks(100) { load(chunk).await; }");
    check("loop { load(1).await; sleep(d).await; }");
    check("for x in xs { if x.ok { return load(x).await; } }");
    check("for x in xs { buffer.push(x); if buffer.len() >= BATCH { load(1).await; } }");
    check("for x in xs { match x { A => load(1).await, B => a().await, C => b().await, D => c().await } }");
}

#[test]
fn a_buffer_that_is_written_when_full_is_no_query_per_element() {
    check(
        &[(
            "app",
            "",
            &format!(
                "struct B {{ rows: Vec<i64> }}
                 impl B {{ async fn push(&mut self, x: i64) {{ self.rows.push(x); if self.rows.len() == self.rows.capacity() {{ load(1).await; }} }} }}
                 async fn f(mut b: B) {{ for x in xs {{ b.push(x).await; }} }} {LOAD}"
            ),
        )],
        &[],
    );
}

#[test]
fn a_cache_queries_when_it_misses() {
    check(
        &[(
            "app",
            "",
            &format!(
                "struct UserCache; impl UserCache {{ async fn get(&self, x: i64) {{ load(x).await; }} }}
                 async fn f(cache: &UserCache) {{ for x in xs {{ cache.get(x).await; g(cache, x).await; }} }}
                 async fn g(cache: &UserCache, x: i64) {{ cache.get(x).await; }} {LOAD}"
            ),
        )],
        &[],
    );
}

#[test]
fn tests_are_left_out_and_recursion_ends() {
    check(
        &[("app", "", &format!("#[tokio::test] async fn f() {{ for x in xs {{ load(x).await; }} }} {LOAD}"))],
        &[],
    );
    check(
        &[(
            "app",
            "",
            &format!(
                "async fn f() {{ for x in xs {{ g(x).await; }} }} async fn g(x: i64) {{ g(x).await; load(x).await; }} {LOAD}"
            ),
        )],
        &["g → load → sqlx::query!"],
    );
}

#[test]
fn what_a_loop_draws_its_turns_from_is_no_query_for_something_else() {
    let pager = "pub struct Pager; impl Pager {
            pub async fn next(&mut self) -> Option<i64> { sqlx::query!(\"SELECT 1\").fetch_one(db).await; }
            pub async fn save(&mut self) { sqlx::query!(\"SELECT 1\").fetch_one(db).await; }
        }";
    let code = "async fn f(mut pager: Pager, mut xs: Vec<i64>) {
            loop { match pager.next().await { Some(page) => show(page), None => break } }
            loop { let Some(x) = xs.pop() else { break }; pager.save().await; }
        }";
    check(&[("app", "", &format!("{pager} {code}"))], &["pager.save → sqlx::query!"]);
}

#[test]
fn farther_away_than_some_calls_it_is_a_part_of_something_bigger() {
    let chain = |calls: usize| {
        let functions = (1..calls).map(|at| format!("async fn c{at}() {{ c{}().await; }}", at + 1));
        let last = format!("async fn c{calls}() {{ sqlx::query!(\"SELECT 1\").execute(db).await; }}");
        format!("async fn f() {{ for x in xs {{ c1().await; }} }} {} {last}", functions.collect::<String>())
    };
    check(&[("app", "", &chain(4))], &["c1 → c2 → c3 → c4 → sqlx::query!"]);
    check(&[("app", "", &chain(5))], &[]);
}

/// A trait whose method queries.
const PART: &str = "pub trait Part { async fn run(&self, id: i64); } pub struct A;
    impl Part for A { async fn run(&self, id: i64) { sqlx::query!(\"SELECT 1\").fetch_one(db).await; } }";

#[test]
fn what_a_static_holds_is_known_by_its_type() {
    for (statics, part) in [
        (
            "lazy_static! { pub static ref PARTS: HashMap<String, Box<dyn Part>> = make(); }",
            "PARTS.get(&x).unwrap()",
        ),
        (
            "lazy_static! { #[doc = \"a\"] pub static ref PARTS: Vec<Arc<dyn Part>> = vec![]; static ref B: u8 = 1; }",
            "PARTS[x]",
        ),
        ("lazy_static::lazy_static! { pub(crate) static ref PARTS: Box<dyn Part> = Box::new(A); }", "PARTS"),
        ("lazy_static! { pub static ref PARTS: Vec<Box<dyn Part>> = make(); }", "PARTS.first().unwrap()"),
        ("pub static PARTS: LazyLock<Arc<dyn Part>> = LazyLock::new(make);", "PARTS"),
    ] {
        let of = |before: &str, part: &str| {
            format!("{before} async fn f() {{ for x in xs {{ {part}.run(x).await; }} }}")
        };
        let chain = |part: &str| format!("{part}.run → sqlx::query!");
        let all = format!("{PART} {statics} {}", of("", part));
        check(&[("app", "", &all)], &[&chain(part)]);
        let declared = format!("{PART} {statics}");
        let of_path = part.replacen("PARTS", "crate::parts::PARTS", 1);
        check(&[("app", "parts", &declared), ("app", "a", &of("", &of_path))], &[&chain(&of_path)]);
        check(
            &[("app", "parts", &declared), ("app", "a", &of("use crate::parts::PARTS;", part))],
            &[&chain(part)],
        );
        check(
            &[("app", "parts", &declared), ("app", "a", &of("use crate::parts::*;", part))],
            &[&chain(part)],
        );
        let handed = ("app", "b", "pub use crate::parts::PARTS as ALL;");
        let of_all = part.replacen("PARTS", "crate::b::ALL", 1);
        check(&[("app", "parts", &declared), handed, ("app", "a", &of("", &of_all))], &[&chain(&of_all)]);
    }
}

#[test]
fn what_begins_a_transaction_is_no_query_of_an_element() {
    let begin = "async fn begin() { db.execute(\"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE\").await; } use sqlx::x;";
    let with = |body: &str| {
        format!(
            "{begin} {LOAD} async fn f() {{ for x in xs {{ {body} }} }} async fn both() {{ begin().await; load(1).await; }}"
        )
    };
    check(&[("app", "", &with("begin().await;"))], &[]);
    check(&[("app", "", &with("both().await;"))], &["both → load → sqlx::query!"]);
    let direct = "async fn f() { for x in xs { g().await; } } async fn g() { sqlx::query(\"BEGIN\").execute(db).await; sqlx::query!(\"SELECT 1\").fetch_one(db).await; }";
    check(&[("app", "", direct)], &["g → sqlx::query!"]);
}
