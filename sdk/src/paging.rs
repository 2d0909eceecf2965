//! Streams over the items of paged lists. Which operations are paged, and by which members, is generated from the document.

use std::{
    collections::HashSet,
    pin::Pin,
    task::{Context, Poll},
    vec,
};

use futures_core::{Stream, future::BoxFuture};
use futures_util::FutureExt;

use crate::{
    Client, Error, ResponseValue,
    types::{PaginationRequest, PaginationResponse},
};

/// A request whose response is paged. Implemented by generated code.
pub trait Paged: sealed::Sealed {}

pub(crate) mod sealed {
    use std::future::Future;

    use crate::{Client, Error, Operation, ResponseValue, types::PaginationRequest};

    /// What a stream of items needs of a request.
    pub trait Sealed: Clone + Send + Unpin + 'static {
        /// One element of the list.
        type Item: Send + Unpin + 'static;

        const OPERATION: &'static Operation;

        fn pagination(&mut self) -> &mut Option<PaginationRequest>;

        fn send(self, client: Client) -> impl Future<Output = Result<ResponseValue<Page<Self::Item>>, Error>> + Send;
    }

    /// One page, and the token of the next.
    #[derive(Debug)]
    pub struct Page<T> {
        pub(crate) items: Vec<T>,
        pub(crate) next: Option<String>,
    }
}

pub(crate) use sealed::Page;

/// The token of the next page, from either of the two members in which the service sends it.
pub(crate) fn next_token(pagination: Option<PaginationResponse>, beside: Option<String>) -> Option<String> {
    let within = pagination.and_then(|pagination| pagination.next_page_token);
    [within, beside].into_iter().flatten().find(|token| !token.is_empty())
}

/// A stream of the items of all pages, returned by the client's `..._stream` methods.
///
/// A page is requested when all items of the page before have been yielded. The stream ends after the last page, or after an
/// error. To resume after an error, set [`page_token`](Self::page_token) in the `pagination` of a new request. If the service
/// sends the same page token twice, or a hundred empty pages in a row, the list would never end: the stream then ends with an
/// error of the kind [`ErrorKind::IncompleteResponse`](crate::ErrorKind::IncompleteResponse).
///
/// If the list changes while it is read, an item that moves between pages may be yielded twice or not at all.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = coralogix_incidents_emulator::Emulator::start().await?;
/// # let client = emulator.client()?;
/// use coralogix_incidents::types::{
///     IncidentQueryFilter, IncidentStatus, ListIncidentsRequest, PaginationRequest,
/// };
/// use futures::TryStreamExt;
///
/// let filter = IncidentQueryFilter::default().with_status([IncidentStatus::Triggered]);
/// let request = ListIncidentsRequest::default()
///     .with_filter(filter)
///     .with_pagination(PaginationRequest::default().with_page_size(200));
/// let mut incidents = client.list_incidents_stream(request);
/// while let Some(incident) = incidents.try_next().await? {
///     println!("{}", incident.id);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct Items<R: Paged> {
    client: Client,
    request: R,
    /// The token of the page that the next item comes from.
    token: Option<String>,
    /// The tokens requested so far, one for each page.
    asked: HashSet<String>,
    /// The number of empty pages in a row.
    empty: usize,
    page: vec::IntoIter<R::Item>,
    next: Next<R::Item>,
}

/// Single pages may be empty because of a filter. After this many in a row the list is taken to be endless.
const MAX_EMPTY_PAGES: usize = 100;

enum Next<T> {
    /// The next page is to be requested.
    Due,
    Fetching(BoxFuture<'static, Result<ResponseValue<Page<T>>, Error>>),
    /// The page with this token follows the items of the current page.
    Then(String),
    /// This error follows the items of the current page.
    Failed(Error),
    End,
}

impl<R: Paged> Items<R> {
    pub(crate) fn new(client: Client, mut request: R) -> Self {
        let token = request.pagination().as_ref().and_then(|pagination| pagination.page_token.clone());
        let token = token.filter(|token| !token.is_empty());
        let asked = token.iter().cloned().collect();
        Self { client, request, token, asked, empty: 0, page: Vec::new().into_iter(), next: Next::Due }
    }

    /// The token of the page that the next item is on, to resume the list there. `None` on the first page.
    pub fn page_token(&self) -> Option<&str> {
        match &self.next {
            Next::Then(token) if self.page.len() == 0 => Some(token),
            _ => self.token.as_deref(),
        }
    }

    fn fetch(&mut self) -> BoxFuture<'static, Result<ResponseValue<Page<R::Item>>, Error>> {
        if let Some(token) = &self.token {
            let pagination = self.request.pagination().get_or_insert_with(PaginationRequest::default);
            pagination.page_token = Some(token.clone());
        }
        self.request.clone().send(self.client.clone()).boxed()
    }

    fn turn(&mut self, mut page: ResponseValue<Page<R::Item>>) {
        self.empty = if page.items.is_empty() { self.empty + 1 } else { 0 };
        let token = page.next.take();
        let endless = match &token {
            Some(token) if self.asked.contains(token) => Some("its page token came for the second time"),
            Some(_) if self.empty == MAX_EMPTY_PAGES => Some("it is one of many empty pages in a row"),
            _ => None,
        };
        self.next = match (token, endless) {
            (_, Some(why)) => {
                let what = format!("{why}, so the list is not whole");
                Next::Failed(self.client.incomplete_response(R::OPERATION, &page, what))
            }
            (Some(token), None) => Next::Then(token),
            (None, None) => Next::End,
        };
        self.page = page.into_inner().items.into_iter();
    }
}

impl<R: Paged> Stream for Items<R> {
    type Item = Result<R::Item, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(item) = this.page.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            match std::mem::replace(&mut this.next, Next::End) {
                Next::End => return Poll::Ready(None),
                Next::Failed(error) => return Poll::Ready(Some(Err(error))),
                Next::Then(token) => {
                    this.asked.insert(token.clone());
                    this.token = Some(token);
                    this.next = Next::Due;
                }
                Next::Due => this.next = Next::Fetching(this.fetch()),
                Next::Fetching(mut fetching) => match fetching.poll_unpin(cx) {
                    Poll::Ready(Ok(page)) => this.turn(page),
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                    Poll::Pending => {
                        this.next = Next::Fetching(fetching);
                        return Poll::Pending;
                    }
                },
            }
        }
    }
}

impl<R: Paged + std::fmt::Debug> std::fmt::Debug for Items<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Items").field("request", &self.request).field("token", &self.token).finish_non_exhaustive()
    }
}
