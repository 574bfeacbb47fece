//! Asking anew whenever the question changes: only the newest question's answer counts.
//!
//! A resource runs every question to its end before it asks the next one. This breaks the old one off, and each answer
//! says which question it answers, so that nobody takes an old answer for a new one.

use leptos::prelude::*;

use crate::api::failure::Failure;

/// A question with its answer.
type Answered<Q, A> = (Q, Result<A, Failure>);

/// A question that changes, and the answer to it.
pub struct Latest<Q: Send + Sync + 'static, A: 'static> {
    question: Memo<Option<Q>>,
    asking: Action<Q, Answered<Q, A>>,
    again: Trigger,
}

impl<Q: Send + Sync, A> Clone for Latest<Q, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Q: Send + Sync, A> Copy for Latest<Q, A> {}

impl<Q, A> Latest<Q, A>
where
    Q: Clone + PartialEq + Send + Sync + 'static,
    A: Clone + Send + Sync + 'static,
{
    /// Asks whenever there is another question; `None` is no question.
    pub fn new<F: Future<Output = Result<A, Failure>> + 'static>(
        question: impl Fn() -> Option<Q> + Send + Sync + 'static,
        ask: impl Fn(Q) -> F + 'static,
    ) -> Self {
        let question = Memo::new(move |_| question());
        let asking = Action::new_local(move |question: &Q| {
            let (question, answer) = (question.clone(), ask(question.clone()));
            async move { (question, answer.await) }
        });
        let again = Trigger::new();
        Effect::new(move |_| {
            again.track();
            if let Some(question) = question.get() {
                let under_way = untrack(|| asking.dispatch(question));
                on_cleanup(move || under_way.abort());
            }
        });
        Self { question, asking, again }
    }

    /// The answer to the question as it is now, if it has come; tracked.
    pub fn answer(self) -> Option<Result<A, Failure>> {
        let question = self.question.get()?;
        self.newest().filter(|(of, _)| *of == question).map(|(_, answer)| answer)
    }

    /// The newest answer and its question, which may be an older one; tracked.
    pub fn newest(self) -> Option<Answered<Q, A>> {
        self.asking.value().get()
    }

    /// Whether an answer is on its way; tracked.
    pub fn is_asking(self) -> Signal<bool> {
        self.asking.pending().into()
    }

    /// Asks the same question once more.
    pub fn ask_again(self) {
        self.again.notify();
    }
}
