//! Calls of values that libraries keep: by type, in cells, maps and tuples.

use super::calls::check;

/// A type with a method that queries, and a type with one of the same name that does not.
const TYPES: &str = "pub struct Db; impl Db { pub async fn get(&self, id: i64) { sqlx::query!(\"SELECT 1\").fetch_one(db).await; } }
    pub struct Client; impl Client { pub async fn get(&self, id: i64) { http().await; } }
    pub struct App { db: Db } impl AsRef<Db> for App { fn as_ref(&self) -> &Db { &self.db } }";

/// Checks that the method of a value queries, where the parameters of a function have these types.
#[track_caller]
fn check_value(parameters: &str, value: &str) {
    let call = |parameters: &str, value: &str| {
        format!(
            "{TYPES}\nstatic NOW: LazyLock<ArcSwap<Db>> = LazyLock::new(|| todo()); async fn f({parameters}) {{ for x in xs {{ {value}.get(x).await; }} }}"
        )
    };
    check(&[("app", "", &call(parameters, value))], &[&format!("{value}.get → sqlx::query!")]);
    let (parameters, value) = (parameters.replace("Db", "Client"), value.replace("Db", "Client"));
    if !value.contains("NOW") {
        check(
            &[("app", "", &call(&parameters, &value).replace("App { db: Db }", "App { db: Client }"))],
            &[],
        );
    }
}

#[test]
fn what_is_asked_for_by_type_is_of_that_type() {
    check_value("ctx: &Context<'_>", "ctx.data::<Db>()?");
    check_value("ctx: &Context<'_>", "ctx.data::<Db>().unwrap()");
    check_value("ctx: &Context<'_>", "ctx.data_unchecked::<Arc<Db>>()");
    check_value("req: &HttpRequest", "req.app_data::<Data<Db>>().unwrap()");
    check_value("any: &dyn Any", "any.downcast_ref::<Db>().unwrap()");
    check_value("app: &App", "AsRef::<Db>::as_ref(app)");
    check_value("app: &App", "<App as AsRef<Db>>::as_ref(app)");
}

#[test]
fn what_a_cell_points_to_has_its_type() {
    check_value("", "NOW.load()");
    check_value("now: &ArcSwap<Db>", "now.load_full()");
    check_value("now: &ArcSwapOption<Db>", "now.load().unwrap()");
    check_value("db: &std::sync::Weak<Db>", "db.upgrade().unwrap()");
}

#[test]
fn what_is_in_a_map_or_tuple_has_its_type() {
    check_value("all: &HashMap<String, Box<Db>>", "all[\"a\"]");
    check_value("all: &Vec<Db>", "all[0]");
    check_value("all: &[Db]", "all[1..][0]");
    check_value("app: &(Db, i64)", "app.0");
    check_value("app: (i64, Arc<Db>)", "app.1");
    check(
        &[(
            "app",
            "",
            &format!("{TYPES}\nasync fn f((db, n): (Db, i64)) {{ for x in xs {{ db.get(x).await; }} }}"),
        )],
        &["db.get → sqlx::query!"],
    );
}
