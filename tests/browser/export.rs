//! Choosing, previewing and downloading.

use std::path::Path;
use std::time::Duration;

use domain::Role;

use super::visit::visit;

#[tokio::test]
async fn the_file_on_disk_holds_the_rows_that_the_filters_name() {
    visit(async |visit| {
        visit.lessons_and_events().await;
        visit.arrive(Role::Admin, "/es/admin/data-porter?course_id=1&event=seek").await;
        let page = &visit.page;
        let rows = page.rows().await;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0][5], "seek");
        page.read("1 fila").await;
        page.click("Descargar").await;
        page.read("Descarga iniciada: video_player_events_").await;
        let file = downloaded(visit.chromium.downloads.path(), "csv").await;
        let lines: Vec<&str> = file.lines().collect();
        assert_eq!(lines.len(), 2, "{file}");
        assert!(lines[0].starts_with("Registrado,"), "{file}");
        assert!(lines[1].contains(",seek,"), "{file}");
    })
    .await;
}

#[tokio::test]
async fn format_and_layout_decide_what_the_file_looks_like() {
    visit(async |visit| {
        visit.lessons_and_events().await;
        visit.arrive(Role::Admin, "/es/admin/data-porter?headers=keys&delimiter=%3B").await;
        visit.page.click("Descargar").await;
        let csv = downloaded(visit.chromium.downloads.path(), "csv").await;
        assert!(csv.starts_with("recorded_at;user_id;"), "{csv}");
        visit.page.choose("NDJSON").await;
        visit.page.click("Descargar").await;
        let ndjson = downloaded(visit.chromium.downloads.path(), "ndjson").await;
        assert_eq!(ndjson.lines().count(), 3, "{ndjson}");
    })
    .await;
}

#[tokio::test]
async fn the_address_keeps_the_page_as_it_was_left() {
    visit(async |visit| {
        visit.lessons_and_events().await;
        visit.arrive(Role::Admin, "/es/admin/data-porter").await;
        let page = &visit.page;
        page.click("Prácticas Discord").await;
        page.field("Estado").await.select_by_value("cancelled").await.unwrap();
        page.field("Fechas").await.select_by_value("last_7_days").await.unwrap();
        page.choose("JSON").await;
        let address =
            "/es/admin/data-porter?dataset=discord_practices&date=last_7_days&status=cancelled&format=json";
        page.wait_for_address(address).await;
        page.reload().await;
        page.read("Ninguna fila pasa estos filtros").await;
        assert_eq!(page.value("Estado").await, "cancelled");
        assert_eq!(page.value("Fechas").await, "last_7_days");
        page.click("Quitar filtros").await;
        page.wait_for_address("/es/admin/data-porter?dataset=discord_practices&format=json").await;
    })
    .await;
}

#[tokio::test]
async fn a_wrong_filter_is_told_beside_its_field() {
    visit(async |visit| {
        let address = "/es/admin/data-porter?dataset=practice_package_orders&user_id=12abc";
        visit.arrive(Role::Admin, address).await;
        let page = &visit.page;
        page.read("No es un identificador.").await;
        assert!(!page.button("Descargar").await.is_enabled().await.unwrap());
        page.fill("Estudiante", "12").await;
        page.field("Estado").await.click().await.unwrap();
        page.read("Ninguna fila pasa estos filtros").await;
        page.wait_for_address("/es/admin/data-porter?dataset=practice_package_orders&user_id=12").await;
    })
    .await;
}

#[tokio::test]
async fn an_export_is_on_record_for_admins() {
    visit(async |visit| {
        visit.lessons_and_events().await;
        visit.arrive(Role::Admin, "/es/admin/data-porter?course_id=2").await;
        visit.page.click("Descargar").await;
        let file = downloaded(visit.chromium.downloads.path(), "csv").await;
        visit.page.follow("Registro").await;
        let rows = visit.page.rows().await;
        assert_eq!(rows.len(), 1);
        let [_, _, dataset, format, filters, count, _, _, outcome, _] = rows[0].as_slice() else {
            panic!("ten columns were expected: {rows:?}");
        };
        assert_eq!([dataset, format, filters], ["Eventos del reproductor", "CSV", "Curso: 2"]);
        assert_eq!(
            [count.clone(), outcome.clone()],
            [(file.lines().count() - 1).to_string(), "Completa".into()]
        );
    })
    .await;
}

/// The content of the file of this kind, once the browser has it whole.
async fn downloaded(folder: &Path, extension: &str) -> String {
    let whole = async {
        let mut pause = tokio::time::interval(Duration::from_millis(50));
        loop {
            pause.tick().await;
            let files =
                folder.read_dir().expect("the folder is there").map(|file| file.expect("a file").path());
            if let Some(file) =
                files.into_iter().find(|path| path.extension().is_some_and(|it| it == extension))
            {
                return std::fs::read_to_string(file).expect("the file is text");
            }
        }
    };
    let patience = Duration::from_secs(20);
    tokio::time::timeout(patience, whole).await.expect("the browser saves the file")
}
