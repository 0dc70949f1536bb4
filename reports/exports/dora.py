"""DORA report as JSON, in the structure of the European supervisory authorities' data standard (IR-1.2.1)."""

from collections.abc import Callable, Mapping
from typing import Any

from reports.exports.values import Values

Read = Callable[[Values, str], Any]
TEXT: Read = Values.text
RAW: Read = Values.raw
KEYS: Read = Values.keys
FLAG: Read = Values.flag
WHOLE: Read = Values.whole
DECIMAL: Read = Values.decimal
INSTANT: Read = Values.instant

# Number of the field, where it stands, and how it is read.
PLACES: tuple[tuple[str, str, Read], ...] = (
    ("1.1", "incidentSubmission", RAW),
    ("1.2", "submittingEntity.name", TEXT),
    ("1.7", "primaryContact.name", TEXT),
    ("1.8", "primaryContact.email", TEXT),
    ("1.9", "primaryContact.phone", TEXT),
    ("1.10", "secondaryContact.name", TEXT),
    ("1.11", "secondaryContact.email", TEXT),
    ("1.12", "secondaryContact.phone", TEXT),
    ("1.13", "ultimateParentUndertaking.name", TEXT),
    ("1.14", "ultimateParentUndertaking.LEI", TEXT),
    ("1.15", "reportCurrency", TEXT),
    ("2.1", "incident.financialEntityCode", TEXT),
    ("2.2", "incident.detectionDateTime", INSTANT),
    ("2.3", "incident.classificationDateTime", INSTANT),
    ("2.4", "incident.incidentDescription", TEXT),
    ("2.7", "incident.incidentDiscovery", RAW),
    ("2.8", "incident.originatesFromThirdPartyProvider", TEXT),
    ("2.9", "incident.isBusinessContinuityActivated", FLAG),
    ("2.10", "incident.otherInformation", TEXT),
    ("3.1", "incident.competentAuthorityCode", TEXT),
    ("3.2", "incident.incidentOccurrenceDateTime", INSTANT),
    ("3.3", "impactAssessment.serviceImpact.serviceRestorationDateTime", INSTANT),
    ("3.4", "impactAssessment.affectedAssets.affectedClients.number", WHOLE),
    ("3.5", "impactAssessment.affectedAssets.affectedClients.percentage", DECIMAL),
    ("3.6", "impactAssessment.affectedAssets.affectedFinancialCounterparts.number", WHOLE),
    ("3.7", "impactAssessment.affectedAssets.affectedFinancialCounterparts.percentage", DECIMAL),
    ("3.8", "impactAssessment.hasImpactOnRelevantClients", FLAG),
    ("3.9", "impactAssessment.affectedAssets.affectedTransactions.number", WHOLE),
    ("3.10", "impactAssessment.affectedAssets.affectedTransactions.percentage", DECIMAL),
    ("3.11", "impactAssessment.affectedAssets.valueOfAffectedTransactions", DECIMAL),
    ("3.12", "impactAssessment.affectedAssets.numbersActualEstimate", KEYS),
    ("3.15", "incident.incidentDuration", TEXT),
    ("3.16", "impactAssessment.serviceImpact.serviceDowntime", TEXT),
    ("3.17", "informationDurationServiceDowntimeActualOrEstimate", RAW),
    ("3.22", "impactAssessment.criticalServicesAffected", TEXT),
    ("3.23", "incident.incidentType.incidentClassification", KEYS),
    ("3.24", "incident.incidentType.otherIncidentClassification", TEXT),
    ("3.25", "incident.incidentType.threatTechniques", KEYS),
    ("3.26", "incident.incidentType.otherThreatTechniques", TEXT),
    ("3.27", "impactAssessment.affectedFunctionalAreas", TEXT),
    ("3.28", "impactAssessment.isAffectedInfrastructureComponents", RAW),
    ("3.29", "impactAssessment.affectedInfrastructureComponents", TEXT),
    ("3.30", "impactAssessment.isImpactOnFinancialInterest", RAW),
    ("3.31", "reportingToOtherAuthorities", KEYS),
    ("3.32", "reportingToOtherAuthoritiesOther", TEXT),
    ("3.33", "impactAssessment.serviceImpact.isTemporaryActionsMeasuresForRecovery", FLAG),
    ("3.34", "impactAssessment.serviceImpact.descriptionOfTemporaryActionsMeasuresForRecovery", TEXT),
    ("3.35", "incident.incidentType.indicatorsOfCompromise", TEXT),
    ("4.1", "incident.rootCauseHLClassification", KEYS),
    ("4.2", "incident.rootCausesDetailedClassification", KEYS),
    ("4.3", "incident.rootCausesAdditionalClassification", KEYS),
    ("4.4", "incident.rootCausesOther", TEXT),
    ("4.5", "incident.rootCausesInformation", TEXT),
    ("4.6", "incident.incidentResolutionSummary", TEXT),
    ("4.7", "incident.rootCauseAddressingDateTime", INSTANT),
    ("4.8", "incident.incidentResolutionDateTime", INSTANT),
    ("4.9", "incident.incidentResolutionVsPlannedImplementation", TEXT),
    ("4.10", "incident.assessmentOfRiskToCriticalFunctions", TEXT),
    ("4.11", "incident.informationRelevantToResolutionAuthorities", TEXT),
    ("4.13", "incident.grossAmountIndirectDirectCosts", DECIMAL),
    ("4.14", "incident.financialRecoveriesAmount", DECIMAL),
    ("4.15", "incident.recurringNonMajorIncidentsDescription", TEXT),
    ("4.16", "incident.recurringIncidentDate", INSTANT),
)
# Of one criterion of field 2.5: what is told with it.
OF_CRITERION: dict[str, tuple[tuple[str, str, Read], ...]] = {
    "geographical_spread": (
        ("2.6", "countryCodeMaterialityThresholds", KEYS),
        ("3.18", "memberStatesImpactType", KEYS),
        ("3.19", "memberStatesImpactTypeDescription", TEXT),
    ),
    "data_losses": (("3.20", "dataLosseMaterialityThresholds", KEYS), ("3.21", "dataLossesDescription", TEXT)),
    "reputational_impact": (("3.13", "reputationalImpactType", KEYS), ("3.14", "reputationalImpactDescription", TEXT)),
    "economic_impact": (("4.12", "economicImpactMaterialityThreshold", TEXT),),
}


def export(statement: Mapping[str, Any]) -> dict[str, Any]:
    """The report as the data standard nests it; what has no value is left out."""
    values = Values(statement)
    made: dict[str, Any] = {}
    for number, place, read in PLACES:
        _put(made, place, read(values, number))
    _entities(values, made)
    _put(made, "incident.classificationTypes", [_criterion(values, key) for key in values.keys("2.5")])
    return made


def _put(made: dict[str, Any], place: str, value: Any) -> None:
    if value in (None, "", []):
        return
    *above, name = place.split(".")
    for step in above:
        made = made.setdefault(step, {})
    made[name] = value


def _entities(values: Values, made: dict[str, Any]) -> None:
    """Who reports and who is affected; without names in 1.5 the one who reports is affected."""
    code = values.text("1.3") or ""
    kind = "LEI" if _is_lei(code) else "code"
    _put(made, "submittingEntity.entityType", "SUBMITTING_ENTITY")
    _put(made, f"submittingEntity.{kind}", code)
    if "ultimateParentUndertaking" in made:
        made["ultimateParentUndertaking"]["entityType"] = "ULTIMATE_PARENT_UNDERTAKING_ENTITY"
    names = _listed(values.text("1.5")) or _listed(values.text("1.2"))
    codes = _listed(values.text("1.6")) or [code]
    made["affectedEntity"] = [
        _affected(name, codes[place] if place < len(codes) else "", values.keys("1.4"))
        for place, name in enumerate(names)
    ]


def _affected(name: str, code: str, kinds: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"entityType": "AFFECTED_ENTITY", "name": name, "affectedEntityType": kinds}
    return {**made, "LEI": code} if _is_lei(code) else made


def _is_lei(code: str) -> bool:
    return len(code) == 20 and code.isascii() and code.isalnum() and code.isupper() | code.isdigit()


def _listed(text: str | None) -> list[str]:
    """An aggregated report names its entities with semicolons between them (field 1.5)."""
    return [part.strip() for part in (text or "").split(";") if part.strip()]


def _criterion(values: Values, key: str) -> dict[str, Any]:
    made: dict[str, Any] = {"classificationCriterion": key}
    for number, name, read in OF_CRITERION.get(key, ()):
        _put(made, name, read(values, number))
    return made
