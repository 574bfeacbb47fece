//! Filtering, previewing and downloading data.

use domain::Role;

use super::visit::visit;

#[tokio::test]
async fn the_downloaded_file_has_the_filtered_rows() {
    visit(async |visit| {
        visit.insert_lessons_and_events().await;
        visit.open_as(Role::Admin, "/es/admin/data-porter?course_id=1&event=seek").await;
        let page = &visit.page;
        let rows = page.table_rows().await;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0][5], "seek");
        page.wait_for_text("1 fila").await;
        page.click("Descargar").await;
        page.wait_for_text("Descarga iniciada: video_player_events_").await;
        let file = visit.chromium.downloaded("csv").await;
        insta::assert_snapshot!(file.replace('\r', ""), @r#"
        Registrado;ID de estudiante;Correo del estudiante;ID de curso;ID de lección;Evento;Proveedor;Segundo de reproducción;Segundos vistos;Duración del vídeo;Velocidad;Contexto;Metadatos;Sincronizado
        2027-01-10T10:01:00Z;;;1;11;seek;;0;0;;1;player;"{""to"": 120, ""from"": 40}";
        "#);
    })
    .await;
}

#[tokio::test]
async fn the_file_has_the_chosen_format_and_layout() {
    visit(async |visit| {
        visit.insert_lessons_and_events().await;
        visit.open_as(Role::Admin, "/es/admin/data-porter?headers=keys&delimiter=%2C").await;
        visit.page.click("Descargar").await;
        let csv = visit.chromium.downloaded("csv").await;
        assert!(csv.starts_with("recorded_at,user_id,"), "{csv}");
        assert_eq!(csv.lines().count(), 4, "{csv}");
        visit.page.choose("NDJSON").await;
        visit.page.click("Descargar").await;
        let ndjson = visit.chromium.downloaded("ndjson").await;
        assert_eq!(ndjson.lines().count(), 3, "{ndjson}");
    })
    .await;
}

#[tokio::test]
async fn the_url_preserves_the_state_of_the_page() {
    visit(async |visit| {
        visit.insert_lessons_and_events().await;
        visit.open_as(Role::Admin, "/es/admin/data-porter").await;
        let page = &visit.page;
        page.click("Prácticas Discord").await;
        page.field("Estado").await.select_by_value("cancelled").await.unwrap();
        page.field("Fechas").await.select_by_value("last_7_days").await.unwrap();
        page.choose("JSON").await;
        let address =
            "/es/admin/data-porter?dataset=discord_practices&date=last_7_days&status=cancelled&format=json";
        page.wait_for_address(address).await;
        page.reload().await;
        page.wait_for_text("Ninguna fila coincide con estos filtros").await;
        page.wait_for_value("Estado", "cancelled").await;
        page.wait_for_value("Fechas", "last_7_days").await;
        page.click("Quitar filtros").await;
        page.wait_for_address("/es/admin/data-porter?dataset=discord_practices&format=json").await;
    })
    .await;
}

#[tokio::test]
async fn an_invalid_filter_is_reported_next_to_its_field() {
    visit(async |visit| {
        let address = "/es/admin/data-porter?dataset=practice_package_orders&user_id=12abc";
        visit.open_as(Role::Admin, address).await;
        let page = &visit.page;
        page.wait_for_text("No es un identificador.").await;
        page.disabled_button("Descargar").await;
        page.fill("Estudiante", "12").await;
        page.field("Estado").await.click().await.unwrap();
        page.wait_for_text("Ninguna fila coincide con estos filtros").await;
        page.wait_for_address("/es/admin/data-porter?dataset=practice_package_orders&user_id=12").await;
    })
    .await;
}

#[tokio::test]
async fn an_export_appears_in_the_audit_log() {
    visit(async |visit| {
        visit.insert_lessons_and_events().await;
        visit.open_as(Role::Admin, "/es/admin/data-porter?course_id=2").await;
        visit.page.click("Descargar").await;
        let file = visit.chromium.downloaded("csv").await;
        visit.wait_for_complete_exports(1).await;
        visit.page.follow_link("Actividad").await;
        visit.page.wait_for_text("Completa").await;
        let rows = visit.page.table_rows().await;
        assert_eq!(rows.len(), 1);
        let [_, _, dataset, format, filters, count, _, _, outcome, _] = rows[0].as_slice() else {
            panic!("expected ten columns: {rows:?}");
        };
        assert_eq!([dataset, format, filters], ["Eventos del reproductor", "CSV", "Curso: 2"]);
        assert_eq!(
            [count.clone(), outcome.clone()],
            [(file.lines().count() - 1).to_string(), "Completa".into()]
        );
    })
    .await;
}

#[tokio::test]
async fn a_practice_opens_its_reservations() {
    visit(async |visit| {
        visit.insert_lessons_and_events().await;
        visit
            .hub
            .sql(
                "INSERT INTO users (id, name, email, role) VALUES (7, 'Ana', 'ana@example.org', 'student'),
                    (8, 'Leo', 'leo@example.org', 'student');
                INSERT INTO discord_practices (id, lesson_id, title, status, start_at) VALUES
                    (31, 11, 'Anillos', 'completed', '2027-01-10T10:00Z'), (32, 11, 'Cuerpos', 'scheduled', '2027-01-20T10:00Z');
                INSERT INTO discord_practice_reservations
                    (id, practice_id, user_id, status, reserved_at, cancelled_at, attended_at) VALUES
                    (91, 31, 7, 'attended', '2027-01-09T10:00Z', NULL, '2027-01-10T11:00Z'),
                    (92, 31, 8, 'cancelled', '2027-01-09T10:00Z', '2027-01-10T09:00Z', NULL)",
            )
            .await;
        visit.open_as(Role::Admin, "/es/admin/data-porter?dataset=discord_practices").await;
        let page = &visit.page;
        page.wait_for_text("Cuerpos").await;
        page.follow_link("31").await;
        page.wait_for_text("Reservas de la práctica 31: 2").await;
        page.wait_for_address("/es/admin/data-porter?dataset=discord_practices&practice=31").await;
        let rows = page.table_rows().await;
        let cells: Vec<[&str; 3]> =
            rows.iter().map(|row| [row[0].as_str(), row[2].as_str(), row[3].as_str()]).collect();
        let expected = [["91", "ana@example.org", "attended"], ["92", "leo@example.org", "cancelled"]];
        assert_eq!(cells, expected);
        // The file would have the practices.
        assert!(!page.has_text("2 filas").await);
        page.follow_link("← Prácticas Discord").await;
        page.wait_for_text("Cuerpos").await;
        page.follow_link("32").await;
        page.wait_for_text("Reservas de la práctica 32: 0").await;
        page.evaluate("history.back()").await;
        page.wait_for_text("Cuerpos").await;
    })
    .await;
}
