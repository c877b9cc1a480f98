//! The registry of diagnostic codes. A code is never reused: one that falls out of use keeps its line.

use super::Severity;

/// A code as people look it up (`tabi docs E0402`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    pub code: &'static str,
    pub severity: Severity,
    pub title: &'static str,
    pub explanation: &'static str,
}

/// The explanation of a code, written with or without regard to case.
pub fn explain(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|known| known.code.eq_ignore_ascii_case(code))
}

macro_rules! codes {
    ($($id:ident $code:literal $severity:ident $title:literal $explanation:literal;)*) => {
        /// The codes by name, for the code that finds them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(in crate::script) enum Id { $($id),* }

        impl Id {
            pub(in crate::script) const fn code(self) -> &'static str {
                match self { $(Self::$id => $code),* }
            }

            pub(in crate::script) const fn severity(self) -> Severity {
                match self { $(Self::$id => Severity::$severity),* }
            }
        }

        /// Every code, in order.
        pub const CODES: &[Code] = &[$(Code { code: $code, severity: Severity::$severity, title: $title, explanation: $explanation }),*];
    };
}

codes! {
    Unreadable "E0101" Error "the file cannot be read"
        "The file exists but could not be opened or read. Check its permissions, and whether it is a dangling link.";
    NotText "E0102" Error "the file is not UTF-8 text"
        "Scripts are UTF-8 text. Save the file with that encoding; a file that is not a script does not belong under scripts/.";
    EmptyFile "E0103" Error "the file is empty"
        "An empty script is most often an interrupted save, so it counts as an error and the last good version stays. Delete the file to drop its declarations.";
    TooLarge "E0104" Error "the file is too large"
        "A script may have 1 MiB. Data belongs in the systems, not in scripts.";
    ImportOutside "E0105" Error "an import leads outside the workspace"
        "`import` reads files of this workspace only, after following links. Copy the file into the workspace.";
    ImportFailed "E0106" Error "an import failed"
        "The imported file does not exist or has errors itself. Paths are relative to the importing file, else to scripts/, without `.rhai`.";
    ImportCycle "E0107" Error "files import each other"
        "A file that imports itself, directly or through others, cannot be loaded. Move what both need into a third file.";

    Syntax "E0201" Error "syntax error"
        "The file could not be parsed.";
    UnknownVariable "E0202" Error "unknown variable"
        "A name that is declared nowhere. Inside functions only parameters, local variables and `global::CONSTANTS` are visible.";
    UnknownFunction "E0203" Error "unknown function"
        "No function of that name is built in, in the standard library, in this file or in its imports. `tabi docs` lists all of them.";
    ArgumentCount "E0204" Error "wrong number of arguments"
        "The function exists, but not with that many arguments.";
    Failed "E0205" Error "the script failed while loading"
        "An exception, or an operation on values it cannot work with, at the top of the file.";
    Limit "E0206" Error "a limit was reached while loading"
        "Loading a script is bounded in steps, time, depth and sizes. Declarations need none of that: look for an endless loop.";
    EffectAtLoad "E0207" Error "an effect while loading"
        "Loading a script must not touch any system: it happens at every save and in every `check`. Put the call into a plain script for `tabi exec`.";
    UnknownNamespace "E0208" Error "unknown namespace"
        "The name before `::` is neither built in, nor of the standard library, nor an import of this file.";
    ArgumentType "E0209" Error "wrong argument type"
        "The function exists with that many arguments, but not for values of these types.";
    OperatorTypes "E0210" Error "an operator between types it does not work with"
        "Both sides are known, and the operator fails for them in every run. Days are added to a date as `days(7)`.";
    NeverAlike "W0211" Warning "a comparison of two types"
        "Values of different types are never equal, and none is larger than the other, so the comparison has the same outcome for every row.";
    NumberAsText "W0212" Warning "a number joined to digits in quotes"
        "`+` between a number and text joins them: `5 + \"1\"` is the text `51`. Without the quotes it is a sum.";

    LostFallback "E0213" Error "a fallback that is dropped"
        "The value at the end of a `catch` block is dropped, so null comes of the whole where a fallback was meant. Give it by `return`, or set a variable that was declared before the `try`.";
    LostCall "W0214" Warning "the result of a call that is dropped"
        "A function ends in a `try`, whose value it gives; of its `catch` the value is dropped, so it gives null when the `try` fails. Write `return` before the call where its result is meant, or let `()` follow where it is not.";

    UnknownOption "E0301" Error "unknown option"
        "The option map has a key that means nothing here, most often a misspelling.";
    MissingOption "E0302" Error "missing option"
        "An option without which the declaration has no meaning.";
    OptionType "E0303" Error "wrong type of an option"
        "The option wants another kind of value.";
    OptionValue "E0304" Error "invalid value of an option"
        "The value has the right type but means nothing here.";
    FilterLogic "E0305" Error "filter logic"
        "Logic joins the labels of conditions with AND, OR, NOT and brackets: `A AND (B OR C)`.";
    UnknownMeasure "E0306" Error "unknown report column"
        "Columns are the ready measures, `clicks:FEATURE NAME`, or a metadata path such as `metadata.agent.name`.";
    ClosureShape "E0307" Error "wrong shape of a closure"
        "A closure that computes a field takes the row as its one parameter.";
    Exclusive "E0308" Error "options that exclude each other"
        "A declaration has one schedule: every, daily, weekly, monthly or cron.";
    MisplacedDeclaration "E0309" Error "a declaration outside of scripts/"
        "Mappings, rules, segments and journeys are declared by the files under scripts/. A plain script run by `tabi exec` declares nothing.";

    DuplicateName "E0401" Error "two declarations of one name"
        "Names identify declarations in `run`, `after`, history and state, so each is declared once. In a running host the older one goes on, and a copy of it waits until it is gone.";
    TwoWriters "E0402" Error "two declarations write one field"
        "They would undo each other's work at every run. So would two that set one score, load one measure of one level (by its name, its column or its label), create calls to action of one type and reason or success plans of one type and name, comment on one milestone, log timeline entries under one external id, or show one guide to two segments; journeys are held to it like rules. Drop one, or let one name the other in `overrides`. In a running host the older one goes on, and the newer one comes once it is gone; `check` tells the same, also while the older one's file has errors.";
    UnknownAfter "E0403" Error "follows something undeclared"
        "`after` names a declaration that does not exist.";
    Cycle "E0404" Error "declarations follow each other in a circle"
        "None of them could ever be the first to run.";
    UnknownOverride "E0405" Error "overrides something undeclared"
        "`overrides` names a declaration that does not exist.";
    PushName "E0406" Error "push to a field outside Pendo_"
        "Pendo updates only Salesforce fields whose API name starts with `Pendo_`.";
    PushObject "W0407" Warning "push to another object than Account or Contact"
        "It is possible, but pull reads the same object, so what can be pulled is limited. Account is recommended for accounts, and Contact for visitors.";
    UnknownMetadataGroup "W0408" Warning "unusual metadata group"
        "Pendo's API writes the groups `custom` and `salesforce`; others belong to integrations or to Pendo itself.";

    UnknownColumn "E0501" Error "a field the source does not have"
        "A declaration uses a field that its report, `show` list or source object does not deliver.";
    UnknownField "E0502" Error "unknown field"
        "The object has no field of that API name.";
    TypeMismatch "E0503" Error "types that do not fit"
        "Values of the source cannot be held by the target field.";
    ReadOnlyField "E0504" Error "a field that cannot be written"
        "The system computes the field, or the connected user may not change it.";
    NotEnabled "E0505" Error "a field that rules may not write"
        "Rules write only the Salesforce fields that tabi.toml lists for their object under [salesforce.rule_updates], the Id included.";
    NoUpdateList "W0506" Warning "no list of fields that rules may write"
        "Without [salesforce.rule_updates] in tabi.toml rules may write every field of the connected org. A list says which ones are meant to be written.";
    UnknownListed "E0507" Error "a name that Pendo does not know, or knows twice"
        "Reports name segments, apps and features of Pendo, and segments name guides, by name or by id. A name that several have does not say which one is meant: write its id. `tabi check --online` and every run ask Pendo.";

    MissingObject "E0509" Error "an object that the tenant does not have"
        "Load to Usage and Set Score write objects that not every tenant has, and no API makes them: an administrator does. `tabi check --online` and runs ask for them.";
    OldNumbers "W0510" Warning "accounts without rows keep their old numbers"
        "A rule with `calculated` makes a group of the rows of each account, so an account whose last row is gone is in no group, and nothing is written to it. `for_every: \"customer\"` gives a group to every Gainsight customer, `for_every: \"account\"` to every Salesforce account: counts and sums of no rows are 0, and the rest is null. `for_every: \"group\"` says that accounts without rows are left alone.";

    DuplicateStep "E0601" Error "two steps of one name"
        "People keep their place in a journey by the step's name, also while it is edited, so each name is given once.";
    NoSteps "E0602" Error "a journey without steps"
        "Nobody could do anything in it.";
    UnknownStep "E0603" Error "unknown step"
        "A condition, a reminder or `go_to` names a step that the journey does not have.";
    ImpossibleEvent "E0604" Error "an event that cannot happen"
        "What can happen depends on the step: an engagement can be viewed, completed (guides only) and failed; a mail can be sent, opened, clicked, bounced, unsubscribed and failed; a survey can be viewed and responded to, and by email all that can happen to a mail, too.";
    NotBefore "E0605" Error "a step that does not come before"
        "On no way through the journey does the named step come before the one that asks about it, so its event could never have happened.";
    SurveyInChain "E0606" Error "an in-app survey in an email chain"
        "Every program model can trigger survey engagements but Email Chain. Use another model, or hand the survey out by email.";
    NoSurvey "E0607" Error "a survey step without a survey"
        "A survey step hands out one of the PX surveys.";
    ReminderChannel "E0608" Error "a reminder by the wrong channel"
        "A reminder of a survey that was delivered by PX goes by email only. A reminder through PX needs the survey step to have gone by email.";
    UnknownCalculated "E0609" Error "unknown calculated field"
        "`calculated` compares a field that the journey computes in its option `calculated`.";
    EndlessLoop "E0610" Error "a loop without a wait"
        "Whoever comes there would go round for ever within one moment. Put a `wait` into the loop; a `wait_for` counts only on its `otherwise` way, because its condition may hold at once.";
    Unreachable "E0611" Error "a step that nobody reaches"
        "Every way ends or leads elsewhere before it.";
    EmptyWait "E0612" Error "a length of no time"
        "A wait and a time limit are longer than nothing.";
    NoWeight "E0613" Error "a split without weights"
        "The shares of a split are in proportion to their weights, which sum up to 0 here.";
    UnknownZone "E0615" Error "unknown time zone"
        "Time zones are named as in the IANA database: `Europe/Berlin`, `America/New_York`, `UTC`.";
    QuietHours "E0616" Error "quiet hours that cannot be"
        "Quiet hours are two different times of day, from and to; they may span midnight: `[\"20:00\", \"08:00\"]`.";
    ClosureFilter "E0617" Error "a filter on a report that is pushed"
        "A push of the integration takes a report as it is; Pendo narrows it by a segment. The rows of a mapping, of a rule and the participants of a journey can be filtered.";
    NothingToRemindOf "E0618" Error "a reminder without a survey"
        "A reminder reminds of a survey step that comes before it.";
    MissingConnection "E0619" Error "a journey without the connections it needs"
        "What is triggered in PX needs a Gainsight and a PX connection, and surveys in the product need real-time survey sync switched on (`survey_sync = true` under [px]); mails need [email]. On the sandbox everything is there.";
    NothingTells "E0620" Error "an event that nothing would tell of"
        "Only links that lead over the host's own server tell that a mail was opened or clicked or that somebody unsubscribed, and a survey by e-mail is answered on its page. Without [server] in tabi.toml people would wait in vain.";
    WrongEngagement "E0621" Error "an engagement that the step cannot show"
        "A step names what PX has, by name or id: an engagement step a dialog, slider or guide, a survey step a survey. Only guides are completed. `tabi check --online` and publishing ask PX.";
    EngagementNotReady "W0622" Warning "an engagement that PX does not show yet"
        "Journeys trigger engagements that are launched and active in PX and marked as triggered by Journey Orchestrator. Until then the journey cannot be published; one that runs waits. `tabi check --online` and publishing ask PX.";

    TemplateSyntax "E0701" Error "template syntax error"
        "The template could not be parsed. Tags are `{{ value }}`, `{% if .. %}`, `{% for x in list %}` and `{# remark #}`, each closed.";
    UnknownTemplate "E0702" Error "unknown template"
        "Templates are the files NAME.html and NAME.txt under scripts/templates/; includes name a file of that folder with its ending.";
    TemplateField "E0703" Error "a field that the template cannot have"
        "The template uses something that the data does not hold, most often a misspelling. A field that may be blank is null there, which shows as nothing.";
    TemplateFunction "E0704" Error "unknown filter, test or function of templates"
        "Templates know the usual ones of Jinja: `upper`, `title`, `default`, `join`, `length`, `round`, `replace` and so on.";
    TemplateSubject "E0705" Error "two subjects of one template"
        "Where NAME.txt and NAME.html both begin with `Subject: ...`, the two are the same; one of them is enough.";
    TemplateFailed "E0706" Error "a template that fails"
        "Filling the template in came to a value that it cannot work with, or to a limit.";

    OnlyInTests "E0801" Error "a function of tests in a script"
        "`test`, the assertions, `clock::`, `sandbox::`, `journey::` and the like work in test files only: files under tests/ that `tabi test` runs.";
    AssertionFailed "E0802" Error "an assertion failed"
        "A test claims something that does not hold.";
    TestTimeout "E0803" Error "a test that does not end"
        "The test did not end in its time. The place is where it was, or what it last asked for. `tabi test --timeout SECONDS` gives every test more.";
    DuplicateTest "E0804" Error "two tests of one name"
        "The tests of one file are told apart by their names.";
    NoTests "E0805" Error "a test file without tests"
        "The file is named like a test file but declares none. A helper that tests import needs another name.";
    SnapshotDiffers "E0806" Error "a snapshot that differs or is missing"
        "The value is not the one that is kept under tests/snapshots/. `tabi test --update` keeps the present one.";
    TestFailed "E0807" Error "a test that failed"
        "Something in the test failed otherwise than by an assertion: an error that it did not catch, or an operation on values that cannot work.";
}
