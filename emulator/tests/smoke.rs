//! x
use coralogix_incidents::{ApiGeneration, ApiKey, Client, types};
use coralogix_incidents_emulator::Emulator;

#[tokio::test]
async fn smoke() {
    let emulator = Emulator::start().await.unwrap();
    for generation in [ApiGeneration::V1, ApiGeneration::V5] {
        let client = Client::builder()
            .base_url(emulator.url())
            .api_key(ApiKey::new(emulator.api_key()).unwrap())
            .api_generation(generation)
            .build()
            .unwrap();
        let ids = ["incident_id_1", "incident_id_2", "nope"];
        let r = client
            .unassign_incidents(&types::UnassignIncidentsRequest::default().with_incident_ids(ids))
            .await
            .unwrap();
        assert_eq!(r.incidents.len(), 2);
        client
            .assign_incidents(
                &types::AssignIncidentsRequest::default()
                    .with_incident_ids(ids)
                    .with_assigned_to(types::UserDetails::default().with_user_id("x@y")),
            )
            .await
            .unwrap();
        client
            .acknowledge_incidents(&types::AcknowledgeIncidentsRequest::default().with_incident_ids(ids))
            .await
            .unwrap();
        client.resolve_incidents(&types::ResolveIncidentsRequest::default().with_incident_ids(ids)).await.unwrap();
        client.close_incidents(&types::CloseIncidentsRequest::default().with_incident_ids(ids)).await.unwrap();
        println!("{:?}", client.get_incident("incident_id_1").await.unwrap());
        assert!(client.get_incident("nope").await.unwrap_err().is_not_found());
        client.list_incidents(&types::ListIncidentsRequest::default()).await.unwrap();
    }
    println!("{:#?}", emulator.requests());
    emulator.stop().await;
}
